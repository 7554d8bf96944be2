"""Language models behind one small interface: chats in, texts or the probabilities of labels out."""
