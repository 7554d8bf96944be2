"""SemanticFace: facial animation from reference footage that explains itself.

A caption for the house: `actions` names the 61 facial actions, `results` is what an engine says about a
frame, `take` is a folder of results, `protocol`/`client`/`launch` reach the backend process, `server` is that
process. Importing this package imports nothing; pipeline scripts start at `semanticface.client.Client`.
"""

__version__ = "0.1.0"
