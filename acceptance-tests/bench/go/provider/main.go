// A provider on HashiCorp's framework for Go whose one resource does nothing: what a start costs there, and the least that
// any resource costs. The same resource as in ../../noop.rs.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type noop struct{}

func (noop) Metadata(_ context.Context, _ provider.MetadataRequest, r *provider.MetadataResponse) {
	r.TypeName = "noop"
}
func (noop) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse)          {}
func (noop) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}
func (noop) DataSources(context.Context) []func() datasource.DataSource                        { return nil }
func (noop) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return data{} }}
}

type data struct{}

type model struct {
	Input types.String `tfsdk:"input"`
	ID    types.String `tfsdk:"id"`
}

func (data) Metadata(_ context.Context, _ resource.MetadataRequest, r *resource.MetadataResponse) {
	r.TypeName = "noop_data"
}
func (data) Schema(_ context.Context, _ resource.SchemaRequest, r *resource.SchemaResponse) {
	stays := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	r.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"input": schema.StringAttribute{Optional: true, Description: "Any text."},
		"id":    schema.StringAttribute{Computed: true, PlanModifiers: stays, Description: "Always the same."},
	}}
}
func (data) Create(ctx context.Context, q resource.CreateRequest, r *resource.CreateResponse) {
	var m model
	r.Diagnostics.Append(q.Plan.Get(ctx, &m)...)
	m.ID = types.StringValue("noop")
	r.Diagnostics.Append(r.State.Set(ctx, &m)...)
}
func (data) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}
func (data) Update(ctx context.Context, q resource.UpdateRequest, r *resource.UpdateResponse) {
	var m model
	r.Diagnostics.Append(q.Plan.Get(ctx, &m)...)
	r.Diagnostics.Append(r.State.Set(ctx, &m)...)
}
func (data) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

func main() {
	serve := providerserver.ServeOpts{Address: "registry.opentofu.org/bench/noop", ProtocolVersion: 6}
	if err := providerserver.Serve(context.Background(), func() provider.Provider { return noop{} }, serve); err != nil {
		log.Fatal(err)
	}
}
