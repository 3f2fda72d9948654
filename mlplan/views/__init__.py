"""Views: plans, events and diagnostics as text, Markdown, JSON, SARIF. No decisions here."""
