"""The demonstration: the whole path on the shipped sample, measured against its exact truth."""
