package interop

import (
	"os"
	"testing"

	machineapi "github.com/siderolabs/talos/pkg/machinery/api/machine"
	talos "github.com/siderolabs/talos/pkg/machinery/client"
)

// TestReset is `talosctl reset --graceful=false`, with a partition named as its users know them.
func TestReset(t *testing.T) {
	c := startCluster(t, "127.0.0.5")
	client, ctx := c.dial(c.admin(), c.addresses[0])

	reply, err := client.ResetGenericWithResponse(talos.WithNode(ctx, c.addresses[0]), &machineapi.ResetRequest{
		SystemPartitionsToWipe: []*machineapi.ResetPartitionSpec{{Label: "STATE", Wipe: true}, {Label: "EPHEMERAL", Wipe: true}},
	})
	if err != nil {
		t.Fatal(err)
	}

	if len(reply.Messages) != 1 || reply.Messages[0].ActorId == "" {
		t.Errorf("messages: %v, want one with an actor_id", reply.Messages)
	}

	if err := c.ended(c.addresses[0]); err != nil {
		t.Errorf("it ended with %v", err)
	}

	left, err := os.ReadDir(c.stateDir(c.addresses[0]))
	if err != nil || len(left) != 1 || left[0].Name() != "audit" {
		t.Errorf("left of it: %v, error %v", left, err)
	}
}
