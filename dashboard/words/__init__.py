"""Every word of the screen, in English, by page; Markdown where a page says so.

Used through :func:`nme_core.vocabulary.language.tr`, which says them in the session's language.
"""
