//! Headless Chromium, which looks at a page that is a file.

use super::cluster::skip;
use std::path::PathBuf;
use std::process::Command;

/// What the reader prefers.
#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    Light,
    Dark,
}

/// A browser on this machine.
pub struct Browser(PathBuf);

impl Browser {
    /// The sandbox's `setup.sh` installs it. None: there is none, and the test is skipped.
    pub fn find(test: &str) -> Option<Self> {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let names = ["chromium-headless-shell", "chromium"];
        let mut files = std::env::split_paths(&paths).flat_map(|folder| names.map(|name| folder.join(name)));
        let found = files.find(|file| file.is_file()).map(Self);
        if found.is_none() {
            skip(test, "no headless Chromium on this machine");
        }
        found
    }

    /// The page as the browser has it when its scripts have run, and what came on its console.
    pub fn dom(&self, page: &str, width: u32, height: u32, scheme: Scheme) -> (String, String) {
        let (output, errors, _) = self.run(page, width, height, scheme, &["--dump-dom", "--enable-logging=stderr"]);
        let console = errors.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
        (output, console)
    }

    /// A picture of the page, as PNG.
    pub fn screenshot(&self, page: &str, width: u32, height: u32, scheme: Scheme) -> Vec<u8> {
        let (_, errors, folder) = self.run(page, width, height, scheme, &["--screenshot=shot.png"]);
        std::fs::read(folder.path().join("shot.png")).unwrap_or_else(|error| panic!("no screenshot: {error}\n{errors}"))
    }

    fn run(&self, page: &str, width: u32, height: u32, scheme: Scheme, more: &[&str]) -> (String, String, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.html");
        std::fs::write(&file, page).unwrap();
        let mut command = Command::new(&self.0);
        command.current_dir(folder.path()).args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"]);
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        command.arg(format!("--window-size={width},{height}"));
        command.arg(format!("--blink-settings=preferredColorScheme={}", matches!(scheme, Scheme::Light) as u8));
        let output = command.args(more).arg(format!("file://{}", file.display())).output().unwrap();
        let (text, errors) =
            (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(output.status.success(), "{}: {errors}", output.status);
        (text, errors, folder)
    }
}
