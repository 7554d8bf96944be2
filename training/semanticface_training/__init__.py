"""Training and evaluation for SemanticFace: data, renders with exact labels, and what is built from them."""
