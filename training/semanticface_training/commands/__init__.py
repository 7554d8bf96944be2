"""One module a command of `semanticface-train`: it parses, calls one room and prints."""
