"""The backend process: a light front that never computes, and a worker process per engine that may be killed.

`front` owns the client socket and the loop, `requests` answers messages, `clients` holds leases, `jobs` and `feeds`
say what is to be computed, `pool` hands units of it to the `supervisor`'s worker process, `cache` remembers results.
`worker`, `lanes` and `footage` run inside that other process; `channel` is the wire between the two. Only the worker's
side imports engines and decodes pictures, so that the front answers within milliseconds and nothing in a picture can
take it down.
"""
