package main

import (
	"context"
	"encoding/json"

	"go.podman.io/image/v5/docker/policyconfiguration"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

// policy is what policy.json says about images of registries.
type policy struct {
	// RejectsOthers is whether images of no scope are rejected.
	RejectsOthers bool `json:"rejectsOthers"`
	// Scopes are accepted or not.
	Scopes map[string]bool `json:"scopes"`
}

// requirement is one that containers/image reads.
type requirement struct {
	Type string `json:"type"`
}

func requires(accepts bool) []requirement {
	if accepts {
		return []requirement{{"insecureAcceptAnything"}}
	}
	return []requirement{{"reject"}}
}

// evaluator tells which canonical references go.podman.io/image rejects. Of the two libraries, it is the one whose
// policies are built without a client of Rekor. Without a policy nothing is rejected.
func (policy *policy) evaluator() (func(string) (bool, error), error) {
	if policy == nil {
		return func(string) (bool, error) { return false, nil }, nil
	}
	scopes := map[string][]requirement{}
	for scope, accepts := range policy.Scopes {
		scopes[scope] = requires(accepts)
	}
	text, err := json.Marshal(map[string]any{
		"default":    requires(!policy.RejectsOthers),
		"transports": map[string]any{"docker": scopes},
	})
	if err != nil {
		return nil, err
	}
	read, err := signature.NewPolicyFromBytes(text)
	if err != nil {
		return nil, err
	}
	evaluated, err := signature.NewPolicyContext(read)
	if err != nil {
		return nil, err
	}
	return func(image string) (bool, error) { return rejects(evaluated, image) }, nil
}

func rejects(policy *signature.PolicyContext, text string) (bool, error) {
	image, err := reference.ParseNamed(text)
	if err != nil {
		return false, err
	}
	image, err = withoutTag(image)
	if err != nil {
		return false, err
	}
	allowed, err := policy.IsRunningImageAllowed(context.Background(), unparsed{image})
	if _, isPolicy := err.(signature.PolicyRequirementError); err != nil && !isPolicy {
		return false, err
	}
	return !allowed, nil
}

// withoutTag leaves the digest of an image that has both, as CRI-O does before a pull.
func withoutTag(image reference.Named) (reference.Named, error) {
	digested, ok := image.(reference.Canonical)
	if !ok {
		return image, nil
	}
	return reference.WithDigest(reference.TrimNamed(image), digested.Digest())
}

// unparsed is an image of which only the name is known: these requirements look at nothing else.
type unparsed struct{ image reference.Named }

func (image unparsed) Reference() types.ImageReference { return dockerReference{image: image.image} }

func (unparsed) Manifest(context.Context) ([]byte, string, error) { return nil, "", nil }

func (unparsed) Signatures(context.Context) ([][]byte, error) { return nil, nil }

// dockerReference has of the transport "docker" what a policy asks for; that transport itself is large.
type dockerReference struct {
	types.ImageReference
	image reference.Named
}

func (dockerReference) Transport() types.ImageTransport { return dockerTransport{} }

func (ref dockerReference) StringWithinTransport() string { return "//" + ref.image.String() }

func (ref dockerReference) DockerReference() reference.Named { return ref.image }

func (ref dockerReference) PolicyConfigurationIdentity() string {
	identity, err := policyconfiguration.DockerReferenceIdentity(ref.image)
	if err != nil {
		panic(err) // As the transport: images have a tag or a digest here.
	}
	return identity
}

func (ref dockerReference) PolicyConfigurationNamespaces() []string {
	return policyconfiguration.DockerReferenceNamespaces(ref.image)
}

type dockerTransport struct{ types.ImageTransport }

func (dockerTransport) Name() string { return "docker" }
