"""Who reaches what as a picture: a graph, and its drawings as Mermaid, SVG and an HTML page.

Pure but for the drawing of an SVG, which Node.js lays out. Nothing here knows of stacks or plans.
"""
