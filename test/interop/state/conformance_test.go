package state

import (
	"testing"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state/conformance"
	"github.com/stretchr/testify/suite"
)

// TestStateConformance runs COSI's suite through COSI's client: `TestStateConformance/<store>/<case>`.
func TestStateConformance(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite.Run(t, &conformance.StateSuite{
				State:      remote(t, serve(t, store).socket),
				Namespaces: []resource.Namespace{"default", "controller", "system", "runtime"},
			})
		})
	}
}
