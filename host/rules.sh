# shellcheck shell=bash
# Own chains in the packet filter, shared by the fence and the partition. A chain is named after the fault, its jump
# carries the comment `holdfast:<faultId>`: so they can be found and removed when everything else is lost.
#
# Each family is changed by ONE `iptables-restore --noflush` transaction: all of it or nothing, in milliseconds, and
# rules of others are never read back or rewritten.

WAIT_SECONDS=2

# chain_name PREFIX: at most 28 characters, whatever the fault is called.
chain_name() {
  local digest
  digest=$(printf '%s' "$HOLDFAST_FAULT_ID" | sha256sum)
  printf '%s-%s' "$1" "${digest:0:12}"
}

# family_of ADDRESS: 4 or 6
family_of() { case $1 in *:*) echo 6 ;; *) echo 4 ;; esac; }

save() { if [ "$1" = 6 ]; then ip6tables-save -t filter; else iptables-save -t filter; fi; }

restore() {
  if [ "$1" = 6 ]; then ip6tables-restore --noflush -w "$WAIT_SECONDS"; else iptables-restore --noflush -w "$WAIT_SECONDS"; fi
}

# usable FAMILY: has this host that packet filter at all?
usable() { save "$1" >/dev/null 2>&1; }

# for_family FAMILY COMMA_LIST: the addresses of that family, one a line
for_family() {
  local address
  local IFS=,
  for address in $2; do
    if [ "$(family_of "$address")" = "$1" ]; then printf '%s\n' "$address"; fi
  done
}

# install FAMILY CHAIN < rules: replaces our two chains and hooks them in first place. Idempotent.
install() {
  local family=$1 chain=$2 body
  body=$(cat)
  {
    echo '*filter'
    removal "$family" "$chain" hooks
    printf ':%s-i - [0:0]\n:%s-o - [0:0]\n%s\n' "$chain" "$chain" "$body"
    printf -- '-I INPUT 1 -m comment --comment holdfast:%s -j %s-i\n' "$HOLDFAST_FAULT_ID" "$chain"
    printf -- '-I OUTPUT 1 -m comment --comment holdfast:%s -j %s-o\n' "$HOLDFAST_FAULT_ID" "$chain"
    echo COMMIT
  } | restore "$family"
}

# removal FAMILY CHAIN hooks|all: the commands that take away what is there now, and only that
removal() {
  save "$1" 2>/dev/null | awk -v chain="$2" -v what="$3" '
    $1 == "-A" && $2 !~ "^" chain "-[io]$" && $0 ~ "-j " chain "-[io]$" { sub(/^-A/, "-D"); print }
    what == "all" && $1 ~ "^:" chain "-[io]$" { chains[++count] = substr($1, 2) }
    END { for (i = 1; i <= count; i++) print "-F " chains[i]; for (i = 1; i <= count; i++) print "-X " chains[i] }'
}

# remove CHAIN: from every family. Idempotent.
remove() {
  local family commands failed=0
  for family in 4 6; do
    commands=$(removal "$family" "$1" all)
    if [ -n "$commands" ]; then
      printf '*filter\n%s\nCOMMIT\n' "$commands" | restore "$family" || failed=1
    fi
  done
  return "$failed"
}

# present CHAIN: is anything of it there, in any family?
present() {
  local family
  for family in 4 6; do
    if [ -n "$(removal "$family" "$1" all)" ]; then return 0; fi
  done
  return 1
}
