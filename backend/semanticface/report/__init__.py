"""Pages that people open: one HTML file each, with everything in it and nothing fetched.

`page` is the skeleton, `charts` draws, `take` tells of one take; `parts/` holds the templates, styles and scripts. The
evaluation builds its pages on the same skeleton. This room reads results and footage; it changes neither, and asks no
backend.
"""
