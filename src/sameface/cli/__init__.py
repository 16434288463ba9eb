"""The command line: arguments in, answers and exit codes out; no logic of its own."""
