// start BINARY: starts a provider as OpenTofu and Terraform do (go-plugin, mutual TLS), asks for its schemas, and prints how
// many microseconds that took, how many of them the provider computed, how many KiB of memory it has then, and how many bytes
// the schemas are.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

type provider struct{ plugin.NetRPCUnsupportedPlugin }

func (provider) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }
func (provider) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		plugin.CleanupClients()
		os.Exit(1)
	}
	return value
}

func main() {
	command := exec.Command(os.Args[1])
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		},
		VersionedPlugins: map[int]plugin.PluginSet{6: {"provider": provider{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		Cmd:              command,
		Managed:          true,
		Logger:           hclog.NewNullLogger(),
	})
	defer client.Kill()
	begin := time.Now()
	connection := must(must(client.Client()).Dispense("provider")).(*grpc.ClientConn)
	// Not one field is read here: what is unknown to a message is kept as it came.
	schemas := &emptypb.Empty{}
	call := connection.Invoke(context.Background(), "/tfplugin6.Provider/GetProviderSchema", &emptypb.Empty{}, schemas)
	took := time.Since(begin)
	must(0, call)
	computed := 0
	for _, thread := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", command.Process.Pid))) {
		computed += must(strconv.Atoi(strings.Fields(string(must(os.ReadFile(thread))))[0]))
	}
	status := must(os.ReadFile(fmt.Sprintf("/proc/%d/status", command.Process.Pid)))
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmRSS:") {
			fmt.Println(took.Microseconds(), computed/1000, strings.Fields(line)[1], proto.Size(schemas))
		}
	}
}
