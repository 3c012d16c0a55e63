"""Files that ship with the package: template, atlas, models, report templates."""
