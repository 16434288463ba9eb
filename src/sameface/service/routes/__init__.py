"""The API, one file per subject. Routes translate; they decide nothing."""
