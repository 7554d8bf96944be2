"""The whole chain on a CPU: draw faces, describe them, train three small models, read unseen faces with the backend.

It shows that every part fits the next one, and what the three forms of an answer (values, named values, description
and named values) are worth at a budget that a laptop has. It proves nothing about the full model.
"""
