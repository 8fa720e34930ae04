//! Every call of the protocol, and who answers it. A call that is not here answers UNIMPLEMENTED, which core expects of
//! it (`docs/protocol.md`).

use super::super::proto::tfplugin6::{self as proto, provider_server};
use super::super::provider::Provider;
use super::{Server, actions, lists, said, validated};
use tonic::{Request, Response, Status};

/// The calls with one answer: `name => |server, request| answer`. The messages have the call's name.
macro_rules! calls {
    ($($call:ident => |$server:ident, $request:pat_param| $answer:expr;)*) => {
        #[tonic::async_trait]
        impl<P: Provider> provider_server::Provider for Server<P> {
            $(async fn $call(
                &self,
                request: Request<proto::$call::Request>,
            ) -> Result<Response<proto::$call::Response>, Status> {
                let ($server, $request) = (self, request.into_inner());
                Ok(Response::new($answer))
            })*

            async fn invoke_action(
                &self,
                request: Request<proto::invoke_action::Request>,
            ) -> Result<Response<actions::Events>, Status> {
                Ok(Response::new(Server::invoke_action(self, request.get_ref())))
            }

            async fn list_resource(
                &self,
                request: Request<proto::list_resource::Request>,
            ) -> Result<Response<lists::Events>, Status> {
                Ok(Response::new(self.list(request.into_inner()).await))
            }
        }
    };
}

calls! {
    get_metadata => |server, _| server.metadata();
    get_provider_schema => |server, _| server.schemas();
    get_resource_identity_schemas => |server, _| server.identity_schemas();
    get_functions => |server, _| proto::get_functions::Response { functions: server.signatures(), diagnostics: Vec::new() };

    validate_provider_config => |server, r| {
        let diagnostics = validated(async { server.validate_provider(r.config.as_ref()) }).await;
        proto::validate_provider_config::Response { diagnostics }
    };
    configure_provider => |server, r| {
        let diagnostics = said(server.configure(r.config.as_ref()).await);
        proto::configure_provider::Response { diagnostics }
    };
    stop_provider => |server, _| {
        server.stop();
        Default::default()
    };

    validate_resource_config => |server, r| {
        let diagnostics = validated(async { server.validate_resource(&r) }).await;
        proto::validate_resource_config::Response { diagnostics }
    };
    upgrade_resource_state => |server, r| server.upgrade_state(&r);
    upgrade_resource_identity => |server, r| server.upgrade_identity(&r);
    move_resource_state => |server, r| server.move_state(&r);
    read_resource => |server, r| server.read(r).await;
    plan_resource_change => |server, r| server.plan(r).await;
    apply_resource_change => |server, r| server.apply(r).await;
    import_resource_state => |server, r| server.import(r).await;

    validate_data_resource_config => |server, r| {
        let diagnostics = validated(async { server.validate_source(&r.type_name, r.config.as_ref()) }).await;
        proto::validate_data_resource_config::Response { diagnostics }
    };
    read_data_source => |server, r| server.read_source(r).await;

    validate_ephemeral_resource_config => |server, r| {
        let diagnostics = validated(async { server.validate_ephemeral(&r.type_name, r.config.as_ref()) }).await;
        proto::validate_ephemeral_resource_config::Response { diagnostics }
    };
    open_ephemeral_resource => |server, r| server.open_ephemeral(r).await;
    renew_ephemeral_resource => |server, r| server.renew_ephemeral(r).await;
    close_ephemeral_resource => |server, r| server.close_ephemeral(r).await;

    call_function => |server, r| server.call(r).await;

    validate_action_config => |server, r| {
        let diagnostics = validated(async { server.validate_action(&r.type_name, r.config.as_ref()) }).await;
        proto::validate_action_config::Response { diagnostics }
    };
    plan_action => |server, r| server.plan_action(r).await;

    validate_list_resource_config => |server, r| {
        let diagnostics = validated(async { server.validate_list(&r.type_name, r.config.as_ref()) }).await;
        proto::validate_list_resource_config::Response { diagnostics }
    };
    generate_resource_config => |server, r| server.generate(&r);
}
