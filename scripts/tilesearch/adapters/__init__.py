"""tilesearch inside other people's tools: one module per tool, which imports that tool."""
