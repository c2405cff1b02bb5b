# shellcheck shell=bash
# What a stack file asks of a machine. Sourced, never run.

# stack_file FILE...: the files as docker puts them together, variables filled in; one after the other where this docker
# cannot show that (before 23): then what YAML's anchors bring in is not seen.
docker_shows_stack_files() { grep -q '^  config ' <<<"$(docker stack --help 2>/dev/null)"; }
stack_file() {
    local file arguments=()
    for file in "$@"; do arguments+=(-c "$file"); done
    if docker_shows_stack_files; then
        docker stack config "${arguments[@]}"
    else
        for file in "$@"; do interpolate <"$file"; done
    fi
}

# interpolate: fills in ${NAME}, ${NAME:-DEFAULT} and their like.
interpolate() {
    local line name operator default value
    while IFS= read -r line; do
        while [[ $line =~ \$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+])?([^}]*)\} ]]; do
            name=${BASH_REMATCH[1]} operator=${BASH_REMATCH[2]} default=${BASH_REMATCH[3]}
            case $operator in
            :-) value=${!name:-$default} ;;
            -) value=${!name-$default} ;;
            *) value=${!name-} ;;
            esac
            line=${line//"${BASH_REMATCH[0]}"/$value}
        done
        printf '%s\n' "$line"
    done
}

# needs: of a stack file on standard input, a line for each thing that must be there or be free:
#   port SERVICE PORT PROTOCOL MODE       published; MODE is host or ingress
#   memory SERVICE REPLICAS BYTES         reserved for each of its replicas
#   mesh SERVICE                          reached by way of a virtual address
#   file PATH, secret NAME, config NAME, network NAME, bind SERVICE PATH
needs() {
    awk '
    function clean(text) { gsub(/^[ \t"\047]+|[ \t"\047]+$/, "", text); return text }
    function bytes(text, unit) {
        unit = toupper(substr(text, length(text)))
        return text * (unit == "K" ? 1024 : unit == "M" ? 1048576 : unit == "G" ? 1073741824 : 1)
    }
    # pairs TEXT INTO: of `{a: b, c: d}`, without what is nested.
    function pairs(text, into, n, parts, i, at) {
        split("", into)
        gsub(/^[ \t]*\{|\}[ \t]*$/, "", text)
        n = split(text, parts, ",")
        for (i = 1; i <= n; i++) if ((at = index(parts[i], ":")) > 0) into[clean(substr(parts[i], 1, at - 1))] = clean(substr(parts[i], at + 1))
    }
    # short TEXT: a port as `[[ADDRESS:]PORT:]TARGET[/PROTOCOL]`.
    function short(text, n, parts, protocol) {
        protocol = "tcp"
        text = clean(text)
        if (text ~ /\//) { protocol = text; sub(/.*\//, "", protocol); sub(/\/.*/, "", text) }
        n = split(text, parts, ":")
        if (n > 1) print "port", service, parts[n - 1], protocol, "ingress"
    }
    # The item of a list that was read last is whole.
    function finish(form) {
        if (of == "ports") {
            if (item["published"]) print "port", service, item["published"], item["protocol"] ? item["protocol"] : "tcp", item["mode"] ? item["mode"] : "ingress"
            else if (plain != "") short(plain)
        } else if (of == "volumes") {
            if (item["type"] == "bind") print "bind", service, item["source"]
            else if (plain ~ /^["\047]?[.\/~]/) { form = clean(plain); sub(/:.*/, "", form); print "bind", service, form }
        }
        split("", item)
        plain = of = ""
    }
    function service_ends() {
        if (service == "") return
        if (reserved) print "memory", service, replicas, reserved
        if (!dnsrr) print "mesh", service
    }
    function outside_ends() {
        if (outside && (top == "secrets" || top == "configs" || top == "networks")) print substr(top, 1, length(top) - 1), named ? named : entry
        outside = 0
        named = ""
    }
    /^[ \t]*(#|$)/ { next }
    {
        indent = match($0, /[^ ]/) - 1
        text = substr($0, indent + 1)
        sub(/ +#.*$/, "", text)
        is_item = text ~ /^- /
        if (of != "" && (indent < item_indent || (is_item && indent == item_indent) || (!is_item && indent <= item_indent))) { list = of; finish(); of = is_item && indent == item_indent ? list : "" }
        if (of != "" || (is_item && in_list != "")) {
            if (is_item && (of == "" || indent <= item_indent)) {
                of = in_list
                item_indent = indent
                sub(/^- +/, "", text)
                plain = ""
                if (text ~ /^\{/) { pairs(text, item); next }
                if (text ~ /^["\047]/ || text !~ /^[a-z_]+:( |$)/) { plain = text; next }
            }
            at = index(text, ":")
            key = clean(substr(text, 1, at - 1))
            if (!(key in item)) item[key] = clean(substr(text, at + 1))
            next
        }
        at = index(text, ":")
        key = clean(substr(text, 1, at - 1))
        value = clean(substr(text, at + 1))
        in_list = ""
        if (indent == 0) { service_ends(); outside_ends(); service = entry = ""; top = key; next }
        if (indent == 2) {
            service_ends(); outside_ends()
            entry = key
            service = top == "services" ? key : ""
            replicas = 1
            reserved = dnsrr = 0
            next
        }
        if (top == "services") {
            if (indent == 4 && (key == "ports" || key == "volumes")) {
                in_list = key
                if (value ~ /^\[/) {
                    gsub(/^\[|\]$/, "", value)
                    n = split(value, list_of, ",")
                    of = key
                    for (i = 1; i <= n; i++) if (key == "ports") short(list_of[i])
                    of = in_list = ""
                }
            } else if (key == "replicas") replicas = value
            else if (key == "endpoint_mode") dnsrr = value == "dnsrr"
            else if (key == "reservations") { inside = "reservations"; if (value ~ /^\{/) { pairs(value, flow); reserved = bytes(flow["memory"]) } }
            else if (key == "limits") inside = "limits"
            else if (key == "memory" && inside == "reservations") reserved = bytes(value)
        } else if (key == "file") print "file", value
        else if (key == "external") outside = value == "true"
        else if (key == "name") named = value
    }
    END { finish(); service_ends(); outside_ends() }'
}
