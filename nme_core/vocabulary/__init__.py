"""Every choice by name, once: its key, what it is called, and one plain sentence."""
