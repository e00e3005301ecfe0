package main

import (
	"github.com/containers/image/v5/docker/reference"
	"github.com/containers/image/v5/pkg/sysregistriesv2"
	"github.com/openshift/runtime-utils/pkg/registries"

	"mirrorguard/oracle/objects"
)

// lookup is whether the digest sets give the payload a mirror that is not blocked, if every blocked registry were.
type lookup struct {
	Usable bool `json:"usable"`
	// Error is why that cannot be found out.
	Error string `json:"error,omitempty"`
}

// lookUpPayload asks what the machine-config operator asks the same libraries before it blocks a registry that covers
// the payload. Null if none does; an error only if the files cannot be written.
func lookUpPayload(cluster objects.Cluster, files node) (*lookup, error) {
	payload, err := reference.ParseNamed(cluster.Payload)
	if err != nil {
		// As the operator words it.
		return &lookup{Error: "error parsing reference of release image"}, nil
	}
	if !isCovered(payload, cluster.BlockedRegistries) {
		return nil, nil
	}
	sets := cluster.ByKind()
	var file sysregistriesv2.V2RegistriesConf
	err = registries.EditRegistriesConfig(&file, cluster.InsecureRegistries, cluster.BlockedRegistries, sets.ICSP, sets.IDMS, nil)
	if err != nil {
		return &lookup{Error: err.Error()}, nil
	}
	text, err := encode(file)
	if err != nil {
		return nil, err
	}
	if err := files.write(text, nil); err != nil {
		return nil, err
	}
	return lookUpMirrors(payload, cluster.BlockedRegistries, files), nil
}

func lookUpMirrors(payload reference.Named, blocked []string, files node) *lookup {
	if err := readByContainers(files); err != nil {
		return &lookup{Error: cause(err)}
	}
	registry, err := sysregistriesv2.FindRegistry(containersContext(files), payload.Name())
	if err != nil {
		return &lookup{Error: cause(err)}
	}
	if registry == nil {
		// The operator does not expect that.
		return &lookup{Error: "runtime error: invalid memory address or nil pointer dereference"}
	}
	sources, err := registry.PullSourcesFromReference(payload)
	if err != nil {
		return &lookup{Error: err.Error()}
	}
	for _, source := range sources {
		if !isCovered(source.Reference, blocked) {
			return &lookup{Usable: true}
		}
	}
	return &lookup{}
}

func isCovered(image reference.Named, blocked []string) bool {
	for _, scope := range blocked {
		if registries.ScopeIsNestedInsideScope(image.Name(), scope) {
			return true
		}
	}
	return false
}
