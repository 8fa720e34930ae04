//! No file knows itself by way of others, and no folder knows one above it. Then each can be read, moved and tested with what lies
//! below it alone. (`layers.rs` says of some folders more: whom they may know at all.)
//!
//! Read from the syntax: `use`, paths in code, and paths in the tokens of macros. Tests are left out, because they may look at
//! everything. A name that a parent gives on (`pub use`) is the parent's: children take it from where it is.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};

type Name = Vec<String>;

/// The folders and single files, from the lowest to the highest.
const ORDER: [&str; 13] = [
    "secret",
    "random",
    "dial",
    "plugin",
    "kubernetes",
    "kafka",
    "zookeeper",
    "stack",
    "diagnostics",
    "drill",
    "resources",
    "provider",
    "docs",
];

/// The modules of the crate that are in files of their own, each with the paths that it names.
#[derive(Default)]
struct Crate {
    files: BTreeMap<Name, Named>,
}

/// What one file names.
#[derive(Default)]
struct Named {
    /// Paths, as written.
    paths: BTreeSet<Name>,
    /// What `use` makes a short name of.
    short: BTreeMap<String, Name>,
    /// Modules in files below it.
    children: BTreeSet<String>,
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

fn name(path: &syn::Path) -> Name {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

impl Named {
    fn tree(&mut self, before: &Name, tree: &syn::UseTree) {
        let with = |ident: &syn::Ident| before.iter().cloned().chain([ident.to_string()]).collect::<Name>();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(one) if one.ident == "self" => self.shorten(before.last().cloned(), before.clone()),
            syn::UseTree::Name(one) => self.shorten(Some(one.ident.to_string()), with(&one.ident)),
            syn::UseTree::Rename(one) => self.shorten(Some(one.rename.to_string()), with(&one.ident)),
            syn::UseTree::Glob(_) => drop(self.paths.insert(before.clone())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
        }
    }

    fn shorten(&mut self, short: Option<String>, path: Name) {
        self.paths.insert(path.clone());
        self.short.extend(short.map(|short| (short, path)));
    }

    /// A name alone is a variable or was brought in by `use`.
    fn name(&mut self, path: Name) {
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }

    /// `a::b::c` in tokens that are no syntax tree.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Name::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.name(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                other => {
                    self.name(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.name(path);
    }
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(of) => &of.attrs,
            syn::Item::Use(of) => &of.attrs,
            syn::Item::Fn(of) => &of.attrs,
            syn::Item::Impl(of) => &of.attrs,
            syn::Item::Const(of) => &of.attrs,
            syn::Item::Static(of) => &of.attrs,
            syn::Item::Struct(of) => &of.attrs,
            _ => &Vec::new(),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        match module.content {
            None => drop(self.children.insert(module.ident.to_string())),
            Some(_) => visit::visit_item_mod(self, module),
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&Name::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.name(name(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.name(name(&call.path));
        self.tokens(call.tokens.clone());
    }

    // `pub(super)` says who may know, not who is known.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

impl Crate {
    fn read(root: &Path) -> Self {
        let mut all = Self::default();
        all.add(Name::new(), &root.join("lib.rs"), root);
        all
    }

    /// Adds a module and those below it; their files are in `folder`.
    fn add(&mut self, module: Name, file: &Path, folder: &Path) {
        let text = std::fs::read_to_string(file).unwrap();
        let mut named = Named::default();
        named.visit_file(&syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
        for child in &named.children {
            let (flat, nested): (PathBuf, PathBuf) = (folder.join(format!("{child}.rs")), folder.join(child).join("mod.rs"));
            let name = module.iter().cloned().chain([child.clone()]).collect();
            self.add(name, if flat.exists() { &flat } else { &nested }, &folder.join(child));
        }
        self.files.insert(module, named);
    }

    /// The file that a path leads to, seen from `here`.
    fn resolve(&self, here: &Name, path: &[String]) -> Option<&Name> {
        let named = &self.files[here];
        let (first, rest) = path.split_first()?;
        let absolute: Name = match first.as_str() {
            "crate" => rest.to_vec(),
            "self" => [here, rest].concat(),
            "super" => {
                let up = 1 + rest.iter().take_while(|part| *part == "super").count();
                [&here[..here.len().saturating_sub(up)], &rest[up - 1..]].concat()
            }
            child if named.children.contains(child) => [here, path].concat(),
            short => match named.short.get(short) {
                Some(long) if long[0] != *short => return self.resolve(here, &[long, rest].concat()),
                _ => return None,
            },
        };
        let known = (0..=absolute.len()).rev().find_map(|length| self.files.get_key_value(&absolute[..length]));
        known.map(|(name, _)| name)
    }

    /// Which files each file knows.
    fn arrows(&self) -> BTreeMap<&Name, BTreeSet<&Name>> {
        let of = |here: &Name, named: &Named| {
            let mut known: BTreeSet<&Name> = named.paths.iter().filter_map(|path| self.resolve(here, path)).collect();
            known.retain(|name| *name != here);
            known
        };
        self.files.iter().map(|(here, named)| (here, of(here, named))).collect()
    }
}

/// The arrows by which files know themselves by way of others.
fn circles<'a>(arrows: &BTreeMap<&'a Name, BTreeSet<&'a Name>>) -> BTreeSet<String> {
    let reached = |from: &'a Name| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(at) = next.pop() {
            next.extend(arrows[at].iter().filter(|to| seen.insert(**to)));
        }
        seen
    };
    let reached: BTreeMap<&Name, BTreeSet<&Name>> = arrows.keys().map(|from| (*from, reached(from))).collect();
    let all = arrows.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
    let back = all.filter(|(from, to)| reached[to].contains(from));
    back.map(|(from, to)| format!("{} -> {}", from.join("::"), to.join("::"))).collect()
}

/// The arrows from a folder to a higher one.
fn upward<'a>(arrows: &BTreeMap<&'a Name, BTreeSet<&'a Name>>) -> Vec<String> {
    let height = |name: &Name| {
        let first = name.first()?;
        Some(ORDER.iter().position(|folder| folder == first).unwrap_or_else(|| panic!("{first} has no place in the order")))
    };
    let all = arrows.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
    let up = all.filter(|(from, to)| height(from).is_some_and(|from| height(to).is_some_and(|to| from < to)));
    up.map(|(from, to)| format!("{} -> {}", from.join("::"), to.join("::"))).collect()
}

#[test]
fn no_file_knows_itself_by_way_of_others_and_none_knows_what_is_above_it() {
    let all = Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let arrows = all.arrows();
    // Nothing is found where nothing is read.
    assert!(arrows.len() > 100 && arrows.values().map(BTreeSet::len).sum::<usize>() > 400, "{}", arrows.len());
    assert_eq!(circles(&arrows), BTreeSet::new());
    assert_eq!(upward(&arrows), Vec::<String>::new());
}

#[test]
fn an_arrow_up_is_found() {
    let [low, high] = ["dial", "kafka"].map(|name| vec![name.to_owned()]);
    let arrows = |from, to| BTreeMap::from([(from, BTreeSet::from([to]))]);
    assert_eq!(upward(&arrows(&low, &high)), ["dial -> kafka"]);
    assert!(upward(&arrows(&high, &low)).is_empty());
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let circle = |a: &str, b: &str| {
        let folder = tempfile::tempdir().unwrap();
        let files =
            [("lib.rs", "mod a; mod b; mod m;"), ("m/mod.rs", "mod c; pub use c::X;"), ("m/c.rs", ""), ("a.rs", a), ("b.rs", b)];
        std::fs::create_dir(folder.path().join("m")).unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        let all = Crate::read(folder.path());
        !circles(&all.arrows()).is_empty()
    };
    let back = "use crate::a::Y;";
    for forth in [
        "use crate::b::X;",
        "use super::{m, b::X};",
        "fn f() { crate::b::g() }",
        "use crate::b; fn f() -> b::X { x!(1) }",
        "use crate as all; fn f() { all::b::g() }",
        "fn f() { x!(1, { crate::b::g() }) }",
        "fn f(_: Vec<super::b::X>) {}",
        "mod inner { use crate::b::X; }",
        "use super::b::*;",
    ] {
        assert!(circle(forth, back), "{forth}");
    }
    for forth in
        ["", "use crate::m::X;", "#[cfg(test)] mod tests { use crate::b::X; }", "pub(in crate::b) fn f() {}", "// crate::b::X"]
    {
        assert!(!circle(forth, back), "{forth}");
    }
}
