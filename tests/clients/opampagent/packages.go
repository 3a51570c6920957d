package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"github.com/open-telemetry/opamp-go/client/types"
	"github.com/open-telemetry/opamp-go/protobufs"
)

// packageStore is a types.PackagesStateProvider in memory; files go to a directory when given.
type packageStore struct {
	lock     sync.Mutex
	dir      string
	allHash  []byte
	states   map[string]types.PackageState
	contents map[string][]byte
	last     *protobufs.PackageStatuses
}

var _ types.PackagesStateProvider = (*packageStore)(nil)

func newPackageStore(dir string) *packageStore {
	return &packageStore{dir: dir, states: map[string]types.PackageState{}, contents: map[string][]byte{}}
}

func (p *packageStore) versions() map[string]string {
	p.lock.Lock()
	defer p.lock.Unlock()
	found := map[string]string{}
	for name, state := range p.states {
		found[name] = state.Version
	}
	return found
}

func (p *packageStore) AllPackagesHash() ([]byte, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.allHash, nil
}

func (p *packageStore) SetAllPackagesHash(hash []byte) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.allHash = hash
	return nil
}

func (p *packageStore) Packages() ([]string, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	names := make([]string, 0, len(p.states))
	for name := range p.states {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

func (p *packageStore) PackageState(name string) (types.PackageState, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.states[name], nil
}

func (p *packageStore) SetPackageState(name string, state types.PackageState) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.states[name] = state
	return nil
}

func (p *packageStore) CreatePackage(name string, kind protobufs.PackageType) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.states[name].Exists {
		return fmt.Errorf("package %q exists", name)
	}
	p.states[name] = types.PackageState{Exists: true, Type: kind}
	return nil
}

func (p *packageStore) FileContentHash(name string) ([]byte, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	content, found := p.contents[name]
	if !found {
		return nil, nil
	}
	sum := sha256.Sum256(content)
	return sum[:], nil
}

func (p *packageStore) UpdateContent(ctx context.Context, name string, data io.Reader, hash, _ []byte) error {
	content, err := io.ReadAll(data)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], hash) {
		return errors.New("content hash mismatch")
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.contents[name] = content
	if p.dir == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(p.dir, filepath.Base(name)), content, 0o600)
}

func (p *packageStore) DeletePackage(name string) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	delete(p.states, name)
	delete(p.contents, name)
	return nil
}

func (p *packageStore) LastReportedStatuses() (*protobufs.PackageStatuses, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.last, nil
}

func (p *packageStore) SetLastReportedStatuses(statuses *protobufs.PackageStatuses) error {
	p.lock.Lock()
	p.last = statuses
	p.lock.Unlock()
	for name, s := range statuses.GetPackages() {
		emit("package_status", map[string]any{"name": name, "status": s.GetStatus().String(),
			"version": s.GetAgentHasVersion(), "error": s.GetErrorMessage()})
	}
	return nil
}
