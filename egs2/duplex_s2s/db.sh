# shellcheck shell=bash
# Where the corpora lie; "downloads" means that the recipe fetches them itself.
export MINI_DUPLEX=downloads

# Folders of this site, if any, are set in a file that is not committed.
if [ -e local/db.sh ]; then
    . local/db.sh
fi
