"""The dashboard: a Streamlit app around nme_core."""
