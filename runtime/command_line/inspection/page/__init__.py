"""The page that `sessile inspect --html` writes: one file that needs nothing from outside.

`page_data.py` gathers what there is to show, `write_page.py` puts it into `page.html` together with the style and the
scripts; `layout.js` places the nodes of graphs, the other scripts draw.
"""
