//! What `stack/database.sh` makes sure of before a database is replaced: none of the services that use it is left.

use std::process::{Command, Output};

use crate::repository::Repository;

/// Stops a service of a Swarm whose tasks are as `states` prints them, with `$1` for the number of the look.
fn stop(states: &str) -> Output {
    let looks = tempfile::NamedTempFile::new().unwrap();
    let script = format!(
        ". stack/database.sh
        states() {{ {states}; }}
        docker() {{
            case \"$*\" in
            'service inspect '*) echo 2 ;;
            'service ps '*) echo >>\"$LOOKS\"; states \"$(wc -l <\"$LOOKS\")\" ;;
            esac
        }}
        sleep() {{ :; }}
        stop_services order-worker
        echo \"ended at look $(wc -l <\"$LOOKS\")\""
    );
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("LOOKS", looks.path())
        .current_dir(Repository::root())
        .output()
        .unwrap()
}

#[test]
fn services_have_ended_when_none_of_their_tasks_runs() {
    let states = "if [ \"$1\" -lt 3 ]; then echo 'Running 2 minutes ago'; else echo 'Shutdown 1 second ago'; fi";
    let said = stop(states);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "ended at look 3\n");
}

#[test]
fn a_service_with_many_tasks_is_looked_at_to_the_end() {
    let many =
        "if [ \"$1\" = 1 ]; then for _ in {1..20000}; do echo 'Running 2 minutes ago'; done; fi";
    let said = stop(many);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "ended at look 2\n", "{said:?}");
}

#[test]
fn one_that_does_not_end_or_of_which_nothing_is_known_stands_in_the_way() {
    for states in ["echo 'Running 2 minutes ago'", "return 1"] {
        let said = stop(states);
        assert!(!said.status.success(), "{states}: {said:?}");
        let why = String::from_utf8_lossy(&said.stderr);
        assert!(why.contains("order-worker"), "{states}: {why}");
    }
}
