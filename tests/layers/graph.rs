//! The graph of modules and files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::imports::{code_of, paths};

/// An import of one module of the crate's root by another.
pub(crate) struct Import {
    /// The module that imports.
    pub from: String,
    /// The imported module.
    pub to: String,
    /// The file, from the root of the repository.
    pub file: String,
    /// The imported path.
    pub path: String,
}

/// The imports between modules of the crate's root.
pub(crate) fn outer_imports(sources: &[Source]) -> Vec<Import> {
    let mut found = Vec::new();
    for source in sources {
        for path in source.paths() {
            let Some(to) = path.first().filter(|to| *to != source.top()) else { continue };
            let (from, to, file) = (source.top().to_owned(), to.clone(), source.file.clone());
            found.push(Import { from, to, file, path: path.join("::") });
        }
    }
    found
}

/// The imports between files of one module: each as the importing and the imported file's module.
/// Imports through a parent's re-export count as imports of the file that defines the item.
pub(crate) fn inner_imports(sources: &[Source]) -> BTreeSet<(String, String)> {
    let modules: BTreeSet<&[String]> =
        sources.iter().map(|source| source.module.as_slice()).collect();
    let mut exports = BTreeMap::new();
    for source in sources {
        for path in &source.exports {
            if let Some(name) = path.last() {
                exports.insert(
                    [source.module.as_slice(), std::slice::from_ref(name)].concat(),
                    path.clone(),
                );
            }
        }
    }
    let mut found = BTreeSet::new();
    for source in sources {
        for path in source.paths() {
            let target = defining(&path, &modules, &exports);
            if target.first() == source.module.first() && target != source.module {
                found.insert((source.module.join("::"), target.join("::")));
            }
        }
    }
    found
}

/// The groups of names that reach each other.
pub(crate) fn circles(edges: &BTreeSet<(String, String)>) -> Vec<Vec<String>> {
    let names: BTreeSet<&str> = edges.iter().map(|(from, _)| from.as_str()).collect();
    let reached: BTreeMap<_, _> = names.iter().map(|name| (*name, reach(name, edges))).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    for (name, below) in &reached {
        let is_known = found.iter().flatten().any(|known| known == name);
        if below.contains(name) && !is_known {
            let group = below
                .iter()
                .filter(|other| reached.get(*other).is_some_and(|back| back.contains(name)));
            found.push(group.map(|one| (*one).to_owned()).collect());
        }
    }
    found
}

/// Every source file of the library.
pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut left = vec![root.join("src")];
    while let Some(path) = left.pop() {
        let name =
            path.strip_prefix(root).unwrap().with_extension("").to_string_lossy().into_owned();
        let module: Vec<String> = name.split('/').skip(1).map(str::to_owned).collect();
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|kind| kind == "rs")
            && !matches!(module[0].as_str(), "lib" | "bin")
            && module.last().is_some_and(|last| last != "tests")
        {
            found.push(Source::new(
                format!("{name}.rs"),
                module,
                &fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    found
}

/// A source file of the library.
pub(crate) struct Source {
    file: String,
    /// The module that it is, such as `["quota", "ledger"]`.
    module: Vec<String>,
    /// The paths that it re-exports.
    exports: Vec<Vec<String>>,
    /// The rest of its code.
    code: String,
}

impl Source {
    fn new(file: String, module: Vec<String>, text: &str) -> Self {
        let mut code = code_of(text);
        let mut exported = String::new();
        for start in ["\npub use ", "\npub(crate) use ", "\npub(super) use "] {
            while let Some(at) = code.find(start) {
                let end = at + code[at..].find(';').unwrap() + 1;
                exported.push_str(&code[at..end]);
                code.replace_range(at..end, "\n");
            }
        }
        let mut source = Self { file, module, exports: Vec::new(), code: exported };
        // Children are declared in the rest of the code.
        source.exports = source.paths_of(&code);
        source.code = code;
        source
    }

    /// The module of the crate's root that it belongs to.
    pub(crate) fn top(&self) -> &str {
        &self.module[0]
    }

    /// The paths, from the root of the crate, that the code names.
    fn paths(&self) -> Vec<Vec<String>> {
        self.paths_of(&self.code)
    }

    /// The same, with the children that `declarations` declare.
    fn paths_of(&self, declarations: &str) -> Vec<Vec<String>> {
        let (_, above) = self.module.split_last().unwrap();
        let behind = |prefix: &[String], found: Vec<Vec<String>>| {
            found.into_iter().map(|path| [prefix, &path].concat()).collect::<Vec<_>>()
        };
        let mut found = paths(&self.code, "crate");
        found.extend(behind(above, paths(&self.code, "super")));
        found.extend(behind(&self.module, paths(&self.code, "self")));
        for child in children(declarations) {
            let prefix = [self.module.as_slice(), &[child.to_owned()]].concat();
            found.extend(behind(&prefix, paths(&self.code, child)));
        }
        found
    }
}

fn children(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter_map(|line| {
        let visibility = ["pub ", "pub(crate) ", "pub(super) "];
        let line = visibility.iter().find_map(|start| line.strip_prefix(start)).unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    })
}

/// The module whose file defines the item at `path`.
fn defining(
    path: &[String],
    modules: &BTreeSet<&[String]>,
    exports: &BTreeMap<Vec<String>, Vec<String>>,
) -> Vec<String> {
    let lengths = (1..=path.len()).rev();
    let module = lengths.map(|length| &path[..length]).find(|start| modules.contains(start));
    let module = module.unwrap_or_default();
    let item = path.get(..=module.len());
    match item.and_then(|item| exports.get(item)) {
        Some(export) => defining(export, modules, exports),
        None => module.to_vec(),
    }
}

fn reach<'a>(name: &str, edges: &'a BTreeSet<(String, String)>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut left = vec![name];
    while let Some(from) = left.pop() {
        for (_, to) in edges.iter().filter(|(one, _)| one == from) {
            if found.insert(to.as_str()) {
                left.push(to);
            }
        }
    }
    found
}
