package main

import (
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/shortnames"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/types"
)

func successorContext(files node) *types.SystemContext {
	// Nobody is asked which registry is meant.
	mode := types.ShortNameModePermissive
	return &types.SystemContext{
		SystemRegistriesConfPath:    files.conf,
		SystemRegistriesConfDirPath: files.dropIns(),
		UserShortNameAliasConfPath:  files.missing,
		ShortNameMode:               &mode,
	}
}

// readBySuccessor makes go.podman.io/image forget the last files and read these.
func readBySuccessor(files node) error {
	sysregistriesv2.InvalidateCache()
	_, err := sysregistriesv2.GetRegistries(successorContext(files))
	return err
}

// pullBySuccessor is what go.podman.io/image does with one image.
func pullBySuccessor(files node, image string) pull {
	result := pull{Image: image, Short: shortnames.IsShortName(image)}
	system := successorContext(files)
	candidates, err := candidatesBySuccessor(system, image)
	for _, candidate := range candidates {
		var attempts []attempt
		attempts, err = attemptsBySuccessor(system, candidate)
		if err != nil {
			break
		}
		result.Attempts = append(result.Attempts, attempts...)
	}
	if err != nil {
		return pull{Image: image, Error: err.Error()}
	}
	return result
}

// candidatesBySuccessor are the images that a text can mean: several if it names no registry.
func candidatesBySuccessor(system *types.SystemContext, image string) ([]reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, err
	}
	if !shortnames.IsShortName(image) {
		return []reference.Named{reference.TagNameOnly(named)}, nil
	}
	resolved, err := shortnames.Resolve(system, image)
	if err != nil {
		return nil, err
	}
	var candidates []reference.Named
	for _, candidate := range resolved.PullCandidates {
		candidates = append(candidates, candidate.Value)
	}
	return candidates, nil
}

// attemptsBySuccessor looks an image up by its name, as a pull does, and then each reference that is to be tried, as
// the client of a registry does.
func attemptsBySuccessor(system *types.SystemContext, image reference.Named) ([]attempt, error) {
	registry, err := sysregistriesv2.FindRegistry(system, image.Name())
	if err != nil {
		return nil, err
	}
	if registry == nil {
		return []attempt{{Reference: image.String()}}, nil
	}
	sources, err := registry.PullSourcesFromReference(image)
	if err != nil {
		return nil, err
	}
	var attempts []attempt
	for _, source := range sources {
		found, err := sysregistriesv2.FindRegistry(system, source.Reference.Name())
		if err != nil {
			return nil, err
		}
		attempts = append(attempts, attempt{
			Reference: source.Reference.String(),
			Insecure:  source.Endpoint.Insecure,
			Blocked:   found != nil && found.Blocked,
		})
	}
	return attempts, nil
}
