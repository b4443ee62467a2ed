"""What leaves a run: settings, figures, adapter, merged model, citations, report."""
