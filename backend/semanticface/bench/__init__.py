"""Measurements of what the documentation claims, run by `semanticface bench`. They report figures and judge nothing."""
