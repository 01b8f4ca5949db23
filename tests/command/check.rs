//! `tollgate check` of a file.

use crate::tool::{folder, root, tollgate, write};

#[test]
fn the_shipped_configuration_is_usable() {
    let shipped = root().join("wrangler.toml");
    let run = tollgate(&["check", shipped.to_str().unwrap()]).with_code(0);
    assert!(run.said().contains("is usable"), "{}", run.said());
}

#[test]
fn every_mistake_is_said_and_no_secret() {
    let folder = folder("mistakes");
    let text = "[vars]\nORIGIN = \"nowhere\"\nLOG = \"chatty\"\n\n[[vars.ROUTES]]\nmatch = \"/**\"\nrequire = [\"x\"]\n";
    let file = write(&folder, "wrangler.toml", text);
    write(&folder, ".dev.vars", "ADMIN_TOKEN=\"hush-hush\"\n");
    let said = tollgate(&["check", &file]).with_code(1).said();
    let parts =
        ["ORIGIN: found \"nowhere\"", "LOG: found", "did you mean \"requires\"?", "ADMIN_TOKEN"];
    for part in parts {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("hush-hush"), "{said}");

    let json = tollgate(&["check", &file, "--json"]).with_code(1).json();
    assert_eq!(json["usable"], false);
    let variables: Vec<_> =
        json["mistakes"].as_array().unwrap().iter().map(|one| one["variable"].clone()).collect();
    for variable in ["ORIGIN", "LOG", "ROUTES", "ADMIN_TOKEN"] {
        assert!(variables.contains(&variable.into()), "{variable}: {variables:?}");
    }
}

#[test]
fn an_environment_of_its_own_is_checked_alone() {
    let folder = folder("environment");
    let open = "[[env.staging.vars.ROUTES]]\nmatch = \"/**\"\nopen = true\n";
    let text = format!("[env.staging.vars]\nORIGIN = \"https://a.example\"\n{open}");
    let file = write(&folder, "wrangler.toml", &text);
    let _ = tollgate(&["check", &file]).with_code(1);
    let _ = tollgate(&["check", &file, "--env", "staging"]).with_code(0);
    let said = tollgate(&["check", &file, "--env", "other"]).with_code(2).said();
    assert!(said.contains("[env.other]; there is staging"), "{said}");
    // A file of secrets of its own takes the place of the common one, as with wrangler.
    write(&folder, ".dev.vars", "ADMIN_TOKEN=short\n");
    let _ = tollgate(&["check", &file, "--env", "staging"]).with_code(1);
    write(&folder, ".dev.vars.staging", "ADMIN_TOKEN=long-enough-for-nobody-to-guess\n");
    let _ = tollgate(&["check", &file, "--env", "staging"]).with_code(0);
}
