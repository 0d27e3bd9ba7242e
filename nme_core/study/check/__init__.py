"""What a look at a study finds before anything is trained."""
