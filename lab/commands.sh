# shellcheck shell=sh
# Reads lab/commands.txt, which is in the directory $checkout.

# declared WHERE: what is declared for any of these places (lab,test), one `PACKAGE COMMAND...` a line
declared() {
    while read -r places package commands; do
        case $places in '' | '#'*) continue ;; esac
        for place in $(echo "$places" | tr , ' '); do
            case ",$1," in *",$place,"*)
                echo "$package $commands"
                break
                ;;
            esac
        done
    done <"${checkout:?}/lab/commands.txt"
}

# find_command COMMAND [ROOT]: sets `found` to its path; a COMMAND with a slash is one already. Fails where it is missing.
find_command() {
    case $1 in
    /*) found=$1 && is_there "${2-}" ;;
    *)
        for directory in /usr/bin /usr/sbin /bin /sbin /usr/local/bin /usr/local/sbin; do
            found=$directory/$1
            ! is_there "${2-}" || return 0
        done
        return 1
        ;;
    esac
}

# A link below another root leads somewhere else from here.
is_there() { [ -x "$1$found" ] || { [ "$1" ] && [ -L "$1$found" ]; }; }

# link_commands WHERE FOLDER PREFIX [ROOT]: for every command that is there a link FOLDER/usr/bin/NAME, which leads to PREFIX
# followed by the path of its file, where that is among what is hidden; ROOT is the root directory of another system
link_commands() {
    declared "$1" | while read -r _ commands; do
        for command in $commands; do
            # A tier that needs a missing one says so itself.
            find_command "$command" "${4-}" || continue
            mkdir -p "$2${found%/*}"
            # To the file and not to another link: that one may lead through what is hidden.
            file=$(if [ "${4-}" ]; then chroot "$4" readlink -f "$found"; else readlink -f "$found"; fi)
            case $file in
            /usr/bin/* | /usr/sbin/* | /bin/* | /sbin/* | /usr/local/bin/* | /usr/local/sbin/*) ln -sf "$3$file" "$2$found" ;;
            *) ln -sf "$file" "$2$found" ;;
            esac
        done
    done
}
