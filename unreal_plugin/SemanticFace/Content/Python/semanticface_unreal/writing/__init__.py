"""Assets: AnimSequences and what stands beside them. Fills the port `Editor`; game thread only."""
