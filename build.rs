//! Turns the protocol files in `proto/` into Rust, without a `protoc` binary and without the network.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["proto/tfplugin6.proto", "proto/go_plugin.proto"], ["proto"])?;
    tonic_prost_build::configure().build_client(false).generate_default_stubs(true).compile_fds(files)?;
    Ok(())
}
