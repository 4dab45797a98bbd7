"""Pages made from a document, the plain values that a run leaves behind.

`reading` takes the document in; `html` and `markdown` are the two pages. What both of them show is
worked out once: `differences` groups what went amiss, `capability` says what is computed at all.
"""
