# shellcheck shell=bash
# Waiting for a deployment: for as long as it gets on, and no longer than it makes sense. Sourced, never run; the caller has
# set STACK, sourced ports.sh, and has `say`.
#
# Three kinds of failure are told apart. Some are not mended by waiting (a port that a stranger has, an image that is nowhere):
# the wait ends when one is seen again. Some may pass by themselves (a registry that does not answer). The rest are programs
# that end: a service restarts while what it depends on comes up, so these count only while nothing else gets on.

# How often a failure of each kind is seen before it is believed: for a service; for each of its replicas.
HOPELESS_AFTER=4 CRASHING_AFTER=5
# Seconds for which no node suits a task before it is believed: an old task may be on its way out.
UNPLACED_AFTER=10

declare -A wait_seen wait_count wait_have wait_best wait_want wait_last wait_since
wait_reason='' wait_service=''

# --- what a failure means ---
# explain SERVICE ERROR EXIT CONTAINER: sets kind (hopeless, crash, passing), why in plain words, and weight: of four that
# are hopeless, an ordinary one counts for two.
explain() {
    local service=$1 error=$2 code=$3 container=$4 port protocol who facts words
    kind=crash why=$error
    case $error in
    *'address already in use'* | *'port is already allocated'*)
        port=$(grep -oE ':[0-9]+(: bind| failed)' <<<"$error" | grep -oE '[0-9]+' | head -n 1 || true)
        case $error in *'listen udp'*) protocol=udp ;; *) protocol=tcp ;; esac
        if who=$(holder "${port:-0}" "$protocol"); then
            kind=hopeless why="$protocol port $port of its node is held by $who"
        else why="$protocol port $port of its node is in use"; fi
        ;;
    *'bind source path does not exist'*) kind=hopeless why="there is no ${error##*exist: } on its node to mount" ;;
    *'invalid mount config'* | *'invalid reference format'*) kind=hopeless ;;
    *'No such image'* | *'manifest unknown'* | *'manifest for '*' not found'* | *'pull access denied'* | *'repository does not exist'*)
        # A registry may have been unavailable for a moment.
        kind=hopeless weight=1 why="its image is not on its node and not to be had: ${error#*No such image: }"
        ;;
    *'no matching manifest'* | *'exec format error'*) kind=hopeless why="its image is for another architecture: $error" ;;
    *'OCI runtime create failed'* | *'executable file not found'*) kind=hopeless why="its program cannot be started: ${error##*container process: }" ;;
    # That took several checks.
    *'unhealthy container'*) weight=3 why="its health check does not pass" ;;
    *'context deadline exceeded'* | *'i/o timeout'* | *'connection refused'* | *'no such host'* | *'TLS handshake timeout'*) kind=passing ;;
    *'non-zero exit'* | '')
        why="it ends with exit code $code"
        facts='' words=''
        if [ "$container" != - ]; then
            facts=$(docker inspect --format '{{.State.OOMKilled}} {{.Path}}' "$container" 2>/dev/null || true)
            # Its last words; what nginx and PostgreSQL say is as good as what ours do.
            words=$(docker logs --tail 1 "$container" 2>&1 | tr -cd '[:print:]' | cut -c1-300 || true)
        fi
        # 2 is what our programs say of a configuration that cannot work.
        case "$facts $code" in
        true*) kind=hopeless why="it takes more memory than its limit, and is killed for it" ;;
        *' /service 2') kind=hopeless why="it cannot work with this configuration" ;;
        esac
        case $words in *'exec format error'*) kind=hopeless why="its image is for another architecture" ;; esac
        why+=${words:+": $words"}
        ;;
    esac
}

# failed SERVICE ID ERROR EXIT CONTAINER: counts a failure, once.
failed() {
    local kind why weight=''
    [ -z "${wait_seen[$2]:-}" ] || return 0
    wait_seen[$2]=yes
    explain "$1" "$3" "$4" "$5"
    if [ -z "$weight" ]; then
        case $kind in hopeless) weight=2 ;; *) weight=1 ;; esac
    fi
    wait_last[$1]=$why
    wait_count[$1/$kind]=$((${wait_count[$1/$kind]:-0} + weight))
    wait_stable=''
    if [ "$kind" = hopeless ] && [ "${wait_count[$1/hopeless]}" -ge "$HOPELESS_AFTER" ]; then give_up "$1" "$why"; fi
}
give_up() { [ -n "$wait_reason" ] || wait_service=$1 wait_reason=$2; }

# counted SERVICE HAVE WANT: how many of it are healthy. More than ever is progress, and who waited for it begins anew.
counted() {
    local other
    wait_have[$1]=$2 wait_want[$1]=$3
    if [ "$2" -gt "${wait_best[$1]:-0}" ]; then
        wait_best[$1]=$2
        for other in "${!wait_count[@]}"; do
            case $other in "$1"/*) ;; */crash) wait_count[$other]=0 ;; esac
        done
    fi
}

# is_crashing SERVICE: each of its replicas has ended that often since another service got on.
is_crashing() { [ "${wait_count[$1/crash]:-0}" -ge $((CRASHING_AFTER * (wait_want[$1] > 0 ? wait_want[$1] : 1))) ]; }

# crashes: gives up on a service that ends again and again while no other is on its way up.
crashes() {
    local service other
    for service in "${!wait_want[@]}"; do
        is_crashing "$service" || continue
        for other in "${!wait_want[@]}"; do
            # One that fails as often is not what others are waiting for.
            if [ "${wait_have[$other]}" -lt "${wait_want[$other]}" ] && ! is_crashing "$other"; then continue 2; fi
        done
        give_up "$service" "${wait_last[$service]}"
    done
}

# --- where it is looked up ---
# tasks: those of the stack, also the last that ended.
tasks() {
    docker stack ps --quiet --no-trunc "$STACK" 2>/dev/null | xargs -r docker inspect --type task --format \
        '{{.ID}}|{{.ServiceID}}|{{.DesiredState}}|{{.Status.State}}|{{with .Status.ContainerStatus}}{{if .ContainerID}}{{.ContainerID}}{{else}}-{{end}}|{{.ExitCode}}{{else}}-|0{{end}}|{{.Status.Err}}' 2>/dev/null || true
}

# swarm_look [SERVICE...]: those alone, or all.
swarm_look() {
    local id name replicas update message wanted state container code error leaving=''
    local -A names=()
    wait_unsettled=''
    while IFS='|' read -r id name update message; do
        name=${name#"${STACK}_"}
        [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
        names[$id]=$name
        case $update in
        '' | completed) ;;
        rollback_* | paused) wait_unsettled=yes rolled_back=$name rolled_message=$message ;;
        *) wait_unsettled=yes ;;
        esac
    done < <(docker stack services --quiet "$STACK" 2>/dev/null | xargs -r docker service inspect --format \
        '{{.ID}}|{{.Spec.Name}}|{{if .UpdateStatus}}{{.UpdateStatus.State}}|{{.UpdateStatus.Message}}{{else}}|{{end}}')
    [ ${#names[@]} -gt 0 ] || wait_unsettled=yes
    while read -r name replicas _; do
        name=${name#"${STACK}_"}
        [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
        counted "$name" "${replicas%/*}" "${replicas#*/}"
        [ "${replicas%/*}" = "${replicas#*/}" ] || wait_unsettled=yes
    done < <(docker stack services "$STACK" --format '{{.Name}} {{.Replicas}}' 2>/dev/null)
    local -A unplaced=()
    while IFS='|' read -r id name wanted state container code error; do
        name=${names[$name]:-}
        [ "$name" ] || continue
        case $wanted/$state in
        */failed | */rejected) failed "$name" "$id" "$error" "$code" "$container" ;;
        */complete) failed "$name" "$id" '' "$code" "$container" ;;
        shutdown/running | remove/running) leaving=yes ;;
        */pending) case $error in 'no suitable node'*) unplaced[$name]=$error ;; esac ;;
        esac
    done < <(tasks)
    for name in "${!unplaced[@]}"; do
        wait_last[$name]="no node can take it ${unplaced[$name]#no suitable node }$(taken "$name")"
        [ "${wait_since[$name]:-}" ] || wait_since[$name]=$SECONDS
        if [ "$leaving" ]; then wait_since[$name]=$SECONDS; fi
        if [ $((SECONDS - wait_since[$name])) -ge "$UNPLACED_AFTER" ]; then give_up "$name" "${wait_last[$name]}"; fi
    done
    for name in "${!wait_since[@]}"; do [ "${unplaced[$name]:-}" ] || unset "wait_since[$name]"; done
}

# taken SERVICE: who has its ports on this node.
taken() {
    local port who
    for port in $(docker service inspect --format '{{range .Endpoint.Spec.Ports}}{{.PublishedPort}}/{{.Protocol}} {{end}}' "${STACK}_$1" 2>/dev/null); do
        if who=$(holder "${port%/*}" "${port#*/}"); then printf '; %s port %s is held by %s' "${port#*/}" "${port%/*}" "$who"; fi
    done
}

# compose_look: containers of the project, each of which starts again by itself.
compose_look() {
    local id name state health restarts code error now
    local -A have=() want=()
    wait_unsettled=''
    while IFS='|' read -r id name state health restarts code error; do
        want[$name]=$((${want[$name]:-0} + 1))
        have[$name]=$((${have[$name]:-0} + 0))
        now=$restarts
        case $state/$health in
        running/ | running/healthy) have[$name]=$((have[$name] + 1)) ;;
        running/unhealthy) failed "$name" "$id/unhealthy/$((SECONDS / 5))" 'unhealthy container' 0 "$id" ;;
        exited/* | dead/* | created/*) [ -z "$error" ] || failed "$name" "$id/$state/$SECONDS" "$error" "$code" "$id" ;;
        esac
        [ "$now" = 0 ] || failed "$name" "$id/$now" "$error" "$code" "$id"
    done < <(docker ps --all --quiet --filter "label=com.docker.compose.project=$STACK" | xargs -r docker inspect --format \
        '{{.ID}}|{{index .Config.Labels "com.docker.compose.service"}}|{{.State.Status}}|{{with .State.Health}}{{.Status}}{{end}}|{{.RestartCount}}|{{.State.ExitCode}}|{{.State.Error}}' 2>/dev/null)
    [ ${#want[@]} -gt 0 ] || wait_unsettled=yes
    for name in "${!want[@]}"; do
        counted "$name" "${have[$name]}" "${want[$name]}"
        [ "${have[$name]}" = "${want[$name]}" ] || wait_unsettled=yes
    done
}

# --- the wait ---
# wait_notes_the_past LOOK: what failed before the deployment is not its failure. Call it just before.
wait_notes_the_past() {
    local id state
    wait_seen=()
    case $1 in
    swarm_look)
        while IFS='|' read -r id _ _ state _; do
            case $state in failed | rejected | complete) wait_seen[$id]=yes ;; esac
        done < <(tasks)
        ;;
    compose_look)
        while read -r id; do wait_seen[$id]=yes; done < <(docker ps --all --quiet --filter "label=com.docker.compose.project=$STACK" |
            xargs -r docker inspect --format '{{.ID}}/{{.RestartCount}}' 2>/dev/null)
        ;;
    esac
}

# wait_until_healthy LOOK SECONDS [SERVICE...]: until all of it is healthy and stays so for two seconds. Otherwise it fails,
# and has said which service stands in the way, and why.
wait_until_healthy() {
    local look=$1 deadline=$((SECONDS + $2)) patience=$2 began=$SECONDS shown='' now have want service wait_unsettled wait_stable=''
    local rolled_back='' rolled_message=''
    shift 2
    wait_count=() wait_have=() wait_best=() wait_want=() wait_last=() wait_since=() wait_reason='' wait_service=''
    while true; do
        "$look" "$@"
        have=0 want=0
        for service in "${!wait_want[@]}"; do have=$((have + wait_have[$service])) want=$((want + wait_want[$service])); done
        now="$have replicas are healthy, $want are wanted"
        if [ "$now" != "$shown" ]; then say "[$SECONDS s] $now" && shown=$now; fi
        if [ "$rolled_back" ]; then
            say "$rolled_back was rolled back: ${wait_last[$rolled_back]:-$rolled_message}"
            return 1
        fi
        if [ -z "$wait_unsettled" ]; then
            if [ "$wait_stable" ] && [ $((SECONDS - wait_stable)) -ge 2 ]; then return 0; fi
            [ "$wait_stable" ] || wait_stable=$SECONDS
        else
            wait_stable=''
            crashes
            if [ "$wait_reason" ]; then
                say "$wait_service does not come up, and waiting does not help: $wait_reason"
                return 1
            fi
        fi
        if [ "$SECONDS" -ge "$deadline" ]; then
            say "not everything is healthy after $((SECONDS - began)) s (of $patience):"
            for service in "${!wait_want[@]}"; do
                [ "${wait_have[$service]}" = "${wait_want[$service]}" ] ||
                    say "  $service: ${wait_have[$service]} of ${wait_want[$service]}${wait_last[$service]:+; ${wait_last[$service]}}"
            done
            return 1
        fi
        sleep 1
    done
}
