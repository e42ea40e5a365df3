"""Who reaches what, under which conditions, and which half of a permission says so.

Pure: documents and a request in, a decision out. Nothing here asks AWS, starts Node.js or reads a
file, but for the generated table of actions.
"""
