"""Make a site of the pages: ``python -m tools.site`` writes it to the folder ``site``.

The pages are the README, ``docs``, ``examples`` and a few more, as they are read in the repository.
They are laid out as Zensical wants them, one tree for each language; Zensical renders each
strictly; and every link of what it rendered is followed. The pages that are made of the sources are
to be as these say, and complete.
"""
