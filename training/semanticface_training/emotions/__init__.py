"""Which emotions the script lines of a dataset carry, by a language model; how evenly they are spread."""
