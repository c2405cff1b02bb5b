//! Rights that are missing, and servers that are not as they should be.

use std::error::Error;

use woody_core::ports::{Insert, OrderStore, Store, StoreError};
use woody_store::PostgresStore;

use super::{Schema, database, open, patient};
use crate::orders;
use database::{Database, Role};

fn store(url: &str) -> PostgresStore {
    PostgresStore::connect(url, patient()).unwrap()
}

/// What it says of itself that refuses until somebody acts.
fn refusal(answer: Result<(), StoreError>) -> String {
    let error = answer.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    error.source().unwrap().to_string()
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_schema_that_is_up_to_date_takes_no_right_to_change_it() {
    let (_, schema) = open().await;
    let role = Role::new().await;
    let (name, grantee) = (&schema.0, &role.0);
    schema
        .run(format!(
            "GRANT USAGE ON SCHEMA {name} TO {grantee};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {grantee};
             REVOKE INSERT, UPDATE, DELETE ON {name}._sqlx_migrations FROM {grantee}"
        ))
        .await;
    let store = store(&role.url(&schema.url(), "right"));
    store.migrate().await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(
        store.insert(&orders(1), std::time::Duration::ZERO).await.unwrap(),
        [Insert::Created]
    );
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_schema_that_is_missing_names_what_the_role_and_the_right() {
    let schema = Schema::new().await;
    let role = Role::new().await;
    let (name, grantee) = (&schema.0, &role.0);
    let store = store(&role.url(&schema.url(), "right"));
    let said = refusal(store.migrate().await);
    assert!(said.contains("search_path") && said.contains(name), "{said}");

    schema.run(format!("GRANT USAGE ON SCHEMA {name} TO {grantee}")).await;
    let said = refusal(store.migrate().await);
    let grant = format!("GRANT CREATE ON SCHEMA {name:?} TO {grantee:?}");
    for part in ["1 (orders)", "2 (products)", &grant] {
        assert!(said.contains(part), "{said}");
    }

    // Mended, it goes on without a new start.
    schema.run(format!("GRANT CREATE ON SCHEMA {name} TO {grantee}")).await;
    store.migrate().await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_role_that_may_not_see_what_is_there_is_told_so() {
    let (_, schema) = open().await;
    let role = Role::new().await;
    schema.run(format!("GRANT USAGE ON SCHEMA {} TO {}", schema.0, role.0)).await;
    let store = store(&role.url(&schema.url(), "right"));
    let said = refusal(store.migrate().await);
    assert!(said.contains(&format!("GRANT SELECT ON _sqlx_migrations TO {:?}", role.0)), "{said}");
    let said = refusal(store.ping().await);
    assert!(said.contains("permission denied for table orders"), "{said}");
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_password_a_database_and_a_schema_may_come_later() {
    let database = Database::named();
    let role = Role::new().await;
    let url = role.url(&database.url(), "soon%20right");
    let store = store(&format!("{url}?options[search_path]=shop"));
    assert!(refusal(store.migrate().await).contains("password authentication failed"));
    let server = super::server();
    database::run(&server, format!("ALTER ROLE {} PASSWORD 'soon right'", role.0)).await;
    assert!(refusal(store.migrate().await).contains("does not exist"));
    database.create("").await;
    let said = refusal(store.migrate().await);
    assert!(said.contains("search_path (shop)"), "{said}");
    database::run(&database.url(), format!("CREATE SCHEMA shop AUTHORIZATION {}", role.0)).await;
    store.migrate().await.unwrap();
    store.ping().await.unwrap();
    store.close().await;
    drop(database);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_database_that_has_no_room_for_every_name_is_refused_at_once() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let database = Database::named();
        database.create(&format!("ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")).await;
        let store = store(&database.url());
        let insert = store.insert(&orders(1), std::time::Duration::ZERO).await.map(drop);
        for answer in [store.migrate().await, store.ping().await, insert] {
            let said = refusal(answer);
            for part in [&database.0, encoding, "ENCODING 'UTF8'"] {
                assert!(said.contains(part), "{said}");
            }
        }
        store.close().await;
    }
}
