"""Tables put right: remedies, missing values, labels, people and what names them, wide tables."""
