"""Real sessions on a fuse tree: the site, its plants, and the figures that everybody is judged by."""
