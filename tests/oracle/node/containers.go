package main

import (
	"github.com/containers/image/v5/docker/reference"
	"github.com/containers/image/v5/pkg/shortnames"
	"github.com/containers/image/v5/pkg/sysregistriesv2"
	"github.com/containers/image/v5/types"
)

func containersContext(files node) *types.SystemContext {
	// Nobody is asked which registry is meant.
	mode := types.ShortNameModePermissive
	return &types.SystemContext{
		SystemRegistriesConfPath:    files.conf,
		SystemRegistriesConfDirPath: files.dropIns(),
		UserShortNameAliasConfPath:  files.missing,
		ShortNameMode:               &mode,
	}
}

// readByContainers makes containers/image forget the last files and read these.
func readByContainers(files node) error {
	sysregistriesv2.InvalidateCache()
	_, err := sysregistriesv2.GetRegistries(containersContext(files))
	return err
}

// pullByContainers is what containers/image does with one image.
func pullByContainers(files node, image string, rejects func(string) (bool, error)) pull {
	result := pull{Image: image, Short: shortnames.IsShortName(image)}
	system := containersContext(files)
	candidates, err := candidatesByContainers(system, image)
	for _, candidate := range candidates {
		var attempts []attempt
		attempts, err = attemptsByContainers(system, candidate)
		if err != nil {
			break
		}
		result.Attempts = append(result.Attempts, attempts...)
		var isRejected bool
		isRejected, err = rejects(candidate.String())
		if err != nil {
			break
		}
		if isRejected {
			result.Rejected = append(result.Rejected, candidate.String())
		}
	}
	if err != nil {
		return pull{Image: image, Error: err.Error()}
	}
	return result
}

// candidatesByContainers are the images that a text can mean: several if it names no registry.
func candidatesByContainers(system *types.SystemContext, image string) ([]reference.Named, error) {
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

// attemptsByContainers looks an image up by its name, as a pull does, and then each reference that is to be tried, as
// the client of a registry does.
func attemptsByContainers(system *types.SystemContext, image reference.Named) ([]attempt, error) {
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
