# shellcheck shell=bash
# Own chains in the packet filter, shared by the fence, the partition and loss. A chain is named after the fault, its jump
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

# for_family FAMILY COMMA_LIST: the addresses of that family, one a line
for_family() {
  local address
  local IFS=,
  for address in $2; do
    if [ "$(family_of "$address")" = "$1" ]; then printf '%s\n' "$address"; fi
  done
}

# loss_match PERCENT: what makes a rule meet so many per cent of the packets
loss_match() { if [ "$1" -lt 100 ]; then printf -- '-m statistic --mode random --probability 0.%02d ' "$1"; fi; }

# install CHAIN: in every family, the rules that `rules_of FAMILY` prints, in those of our chains that they name, each
# hooked in first place: CHAIN-i in INPUT, CHAIN-o in OUTPUT, CHAIN-f in FORWARD (containers with a network of their own).
# A family without a rule that drops is left alone. Idempotent. HOLDFAST_FAMILIES are the ones that worked at arming.
install() {
  local family chain=$1 body hooks hook used
  for family in ${HOLDFAST_FAMILIES:?}; do
    body=$(rules_of "$family") || return 1
    case $body in *'-j DROP'*) ;; *) continue ;; esac
    hooks=$(removal "$family" "$chain" hooks) || return 1
    used=''
    for hook in INPUT:i OUTPUT:o FORWARD:f; do
      case $body in *"-A $chain-${hook#*:} "*) used+=" $hook" ;; esac
    done
    {
      printf '*filter\n%s\n' "$hooks"
      for hook in $used; do printf ':%s-%s - [0:0]\n' "$chain" "${hook#*:}"; done
      printf '%s\n' "$body"
      for hook in $used; do
        printf -- '-I %s 1 -m comment --comment holdfast:%s -j %s-%s\n' "${hook%:*}" "$HOLDFAST_FAULT_ID" "$chain" "${hook#*:}"
      done
      echo COMMIT
    } | restore "$family" || return 1
  done
}

# removal FAMILY CHAIN hooks|all: the commands that take away what is there now, and only that. Fails when that cannot
# be read: what was not seen is not gone.
removal() {
  save "$1" | awk -v chain="$2" -v what="$3" '
    $1 == "-A" && $2 !~ "^" chain "-[iof]$" && $0 ~ "-j " chain "-[iof]$" { sub(/^-A/, "-D"); print }
    what == "all" && $1 ~ "^:" chain "-[iof]$" { chains[++count] = substr($1, 2) }
    END { for (i = 1; i <= count; i++) print "-F " chains[i]; for (i = 1; i <= count; i++) print "-X " chains[i] }'
}

# remove CHAIN: from every family, also from the others when one fails. Idempotent.
remove() {
  local family commands failed=0
  for family in ${HOLDFAST_FAMILIES?}; do
    if ! commands=$(removal "$family" "$1" all); then
      failed=1
    elif [ -n "$commands" ]; then
      printf '*filter\n%s\nCOMMIT\n' "$commands" | restore "$family" || failed=1
    fi
  done
  return "$failed"
}

# say_status CHAIN: `applied` when anything of it is there, in any family; fails when one cannot be read
say_status() {
  local family commands found=absent
  for family in ${HOLDFAST_FAMILIES?}; do
    commands=$(removal "$family" "$1" all) || return 1
    if [ -n "$commands" ]; then found=applied; fi
  done
  echo "$found"
}
