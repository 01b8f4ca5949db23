//! The Workers platform: the only place that names it. It does what the core asks for.
//!
//! Two modules are built of it: the gate, which requests go through, and backstage, which has all
//! that stands behind the feature of that name.
//!
//! | file | role |
//! | --- | --- |
//! | `entry.mjs` | what the runtime calls; survives a panic |
//! | `fetch.rs` | one request: facts in, response out |
//! | `isolate.rs` | what one isolate holds: configuration, memory, keys |
//! | `bindings.rs` | the environment as the configuration sees it |
//! | `crypto.rs` | signatures, by WebCrypto |
//! | `visit.rs` | one request as the edge sees it, and the answers that need no gate |
//! | `origin.rs` | to the origin and back |
//! | `errands.rs` | what is left to do after the response |
//! | `hosted_page.rs` | performs what the way to a provider's portal or checkout needs |
//! | `endpoints.rs` | the gate's own endpoints that need no caller |
//! | `admin.rs` | performs what the operators' endpoints need |
//! | `body.rs` | bodies of requests, and of answers in JSON |
//! | `backstage.rs` | what the second module exports |
//! | `object_call.rs` | messages to Durable Objects, from the side that sends them |
//! | `object.rs`, `database.rs` | what all Durable Objects share: messages, transactions, rows |
//! | `ledger_object.rs`, `ledger_store.rs`, `live_rows.rs` | the class that keeps an account |
//! | `operator_store.rs` | the rows of it that only operators need |
//! | `outbox.rs` | what it sends to the operator's webhook |
//! | `inbox.rs`, `inbox_object.rs` | the class that keeps events of providers and delivers them |
//! | `inbox_tables.rs`, `inbox_store.rs`, `customer_store.rs` | the rows of its tables |
//! | `key_directory_object.rs`, `key_store.rs` | the class for API keys |
//! | `reader_registry_object.rs`, `reader_store.rs` | the class that watches over readers |
//! | `settings_object.rs` | the class that is declared for later |
//! | `schema.rs`, `schema/*.sql` | the tables of each class, and their migrations |
//! | `webhooks.rs` | performs what the intake of a provider's webhook needs |
//! | `provider_api.rs` | performs what a run of calls of providers' APIs needs |
//! | `provider_call.rs` | calls of providers' APIs |
//! | `drills.rs` | requests for the tests alone |
//! | `forwarding.rs` | the way to the origin that requests of a route share |
//! | `glue.rs`, `glue/*.js` | the border to JavaScript |
//! | `glue/forward.rs` | the border to JavaScript for requests on their way to the origin |

#[cfg(feature = "backstage")]
mod admin;
#[cfg(feature = "backstage")]
pub mod backstage;
mod bindings;
#[cfg(feature = "backstage")]
mod body;
mod crypto;
#[cfg(feature = "backstage")]
mod customer_store;
#[cfg(feature = "backstage")]
mod database;
#[cfg(feature = "drills")]
mod drills;
#[cfg(feature = "backstage")]
mod endpoints;
mod errands;
pub mod fetch;
mod forwarding;
mod glue;
mod hosted_page;
mod inbox;
#[cfg(feature = "backstage")]
mod inbox_object;
#[cfg(feature = "backstage")]
mod inbox_store;
#[cfg(feature = "backstage")]
mod inbox_tables;
mod isolate;
#[cfg(feature = "backstage")]
mod key_directory_object;
#[cfg(feature = "backstage")]
mod key_store;
#[cfg(feature = "backstage")]
mod ledger_object;
#[cfg(feature = "backstage")]
mod ledger_store;
#[cfg(feature = "backstage")]
mod live_rows;
#[cfg(feature = "backstage")]
mod object;
mod object_call;
#[cfg(feature = "backstage")]
mod operator_store;
mod origin;
#[cfg(feature = "backstage")]
mod outbox;
#[cfg(feature = "backstage")]
mod provider_api;
mod provider_call;
#[cfg(feature = "backstage")]
mod reader_registry_object;
#[cfg(feature = "backstage")]
mod reader_store;
#[cfg(feature = "backstage")]
mod schema;
#[cfg(feature = "backstage")]
mod settings_object;
mod unchecked;
mod visit;
#[cfg(feature = "backstage")]
mod webhooks;
