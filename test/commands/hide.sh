#!/bin/sh
# hide.sh FOLDER: from here on in this mount namespace, FOLDER/usr/bin, FOLDER/usr/sbin, ... stand in the place of /usr/bin,
# /usr/sbin, .... Their links lead below /usr/bin/.machine, where the directories that they replace stay visible.
set -eu
machine=$1/usr/bin/.machine
for directory in /usr/sbin /usr/local/bin /usr/local/sbin /bin /sbin /usr/bin; do
    if [ ! -d "$directory" ] || [ -L "$directory" ]; then continue; fi
    mkdir -p "$machine$directory" "$1$directory"
    # Private: what is mounted over the directory must not appear here as well.
    mount --bind --make-private "$directory" "$machine$directory"
    replaced="${replaced-} $directory"
done
for directory in $replaced; do mount --rbind "$1$directory" "$directory"; done
