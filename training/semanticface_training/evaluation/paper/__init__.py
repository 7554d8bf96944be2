"""The paper's own numbers put through our aggregation: what they confirm, where they contradict each other.

    tables      the numbers as printed
    reproduce   the tables out of each other, to the printed digits
    precision   what the numbers say about how the truth was rounded, and over how many frames they are

Knows nothing of our own results.
"""
