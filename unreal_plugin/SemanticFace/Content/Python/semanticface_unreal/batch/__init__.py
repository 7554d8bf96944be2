"""A queue of jobs that survives the death of its process. Knows the backend and the ports, and no Unreal."""
