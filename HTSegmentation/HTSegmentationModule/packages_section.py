"""Networks on this computer: models, packages, and a report for whoever is asked for help."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer

from HTSegmentationModule import package_install
from HTSegmentationModule.library_process import environmentRecord
from HTSegmentationModule.messages import sentenceOf
from HTSegmentationModule.network_report import findingsText, reportText
from HTSegmentationModule.progress_work import ProgressWork
from HTSegmentationModule.translation import tr as _


class PackagesSection:
    """The group with its buttons; what comes of each is told in the group itself.

    Args:
        ui: The panel's widgets.
        worker: The networks' process.
        tell: Called with (sentence, severity) for the message line.
        onInstalled: Called when models or packages came.
        onChecked: Called with what a check found.
    """

    def __init__(
        self,
        ui: Any,
        worker: Any,
        tell: Callable[[str, str], None],
        onInstalled: Callable[[], None],
        onChecked: Callable[[dict[str, Any]], None],
    ) -> None:
        self._ui, self._worker, self._tell, self._onInstalled = ui, worker, tell, onInstalled
        self._onChecked = onChecked
        self._work = ProgressWork(ui)
        self._record: dict[str, Any] | None = None
        ui.installModelButton.connect("clicked()", self.chooseArchive)
        ui.installModelFolderButton.connect("clicked()", self.chooseFolder)
        ui.installPackagesButton.connect("clicked()", self.installPackages)
        ui.offlinePackagesButton.connect("clicked()", self.installOffline)
        ui.checkButton.connect("clicked()", self.check)
        ui.copyReportButton.connect("clicked()", self.copyReport)
        self.show()

    def show(self) -> None:
        """Shows which models and packages are there."""
        self._ui.modelsLabel.setText(_modelsText())
        self._ui.packagesLabel.setText(html.escape(package_install.packagesText()))
        complete = not package_install.missingModules()
        self._ui.installPackagesButton.setVisible(not complete)
        self._ui.offlinePackagesButton.setVisible(not complete)

    def chooseArchive(self) -> None:
        """Asks for a zip or tar.gz file and installs the model in it."""
        kinds = _("Models (*.zip *.tar *.tar.gz *.tgz)")
        path = qt.QFileDialog.getOpenFileName(self._ui.installModelButton, _("Install a model"), "", kinds)
        if path:
            self.installModel(path)

    def chooseFolder(self) -> None:
        """Asks for a folder and installs the model in it."""
        path = qt.QFileDialog.getExistingDirectory(self._ui.installModelFolderButton, _("Install a model"))
        if path:
            self.installModel(path)

    def installModel(self, source: str, replace: bool = False) -> None:
        """Installs a model in the background, whole or not at all.

        Args:
            source: A folder or an archive.
            replace: Whether an installed model of the same name is replaced.
        """
        if self._work.running:
            return

        def install(progress: Any) -> Any:
            from HTSegmentationLib.inference.models.install import install as installFrom

            return installFrom(source, force=replace, progress=progress)

        def failed(error: Exception) -> None:
            if not replace and getattr(error, "problem", "") == "a model of this name is installed":
                name = Path(error.path).name
                question = _("A model called {name} is installed already. Replace it?").format(name=name)
                if slicer.util.confirmOkCancelDisplay(question, _("Install a model")):
                    self.installModel(source, replace=True)
                return
            self._failed(error)

        self._work.start(_("Installing the model"), install, self._onModel, failed, self._onCancelled)

    def installPackages(self) -> None:
        """Installs what is missing from the internet."""
        self._install(package_install.installPackages)

    def installOffline(self) -> None:
        """Asks for a folder of wheels and installs what is missing from it."""
        title = _("Folder with wheel files")
        folder = qt.QFileDialog.getExistingDirectory(self._ui.offlinePackagesButton, title)
        if folder:
            self._install(lambda modules: package_install.installFromFolder(folder, modules))

    def check(self) -> None:
        """Looks at this computer in Slicer's own Python, and shows what was found."""
        self._checkThen(lambda: None)

    def copyReport(self) -> None:
        """Checks, and puts check, versions and the worker's last words on the clipboard."""
        self._checkThen(self._copy)

    def close(self) -> None:
        """Ends with the panel."""
        self._work.close()

    def _install(self, how: Callable[[list[str]], None]) -> None:
        # A process that runs now has the old packages, and on Windows holds their files.
        self._worker.close()
        try:
            how(package_install.missingModules())
        except Exception as error:  # the panel says it, whatever it is
            self._failed(error)
            return
        finally:
            self.show()
        self._onInstalled()
        self._tell(_("The packages are installed: networks can be run now."), "note")

    def _checkThen(self, then: Callable[[], None]) -> None:
        if self._work.running:
            return

        def done(record: Any) -> None:
            self._record = record
            self._ui.packagesLabel.setText(findingsText(record))
            self._onChecked(record)
            then()

        self._work.start(_("Checking this computer"), environmentRecord, done, self._failed, self._onCancelled)

    def _copy(self) -> None:
        report = reportText(self._record, slicer.app.applicationVersion, self._worker.versions, self._worker.stderr)
        slicer.app.clipboard().setText(report)
        self._tell(_("The report is on the clipboard; it holds no patient data."), "note")

    def _onModel(self, entry: Any) -> None:
        self.show()
        self._onInstalled()
        told = [_("{title} is installed.").format(title=entry.model.description.title), *map(str, entry.remarks)]
        # Beside the list, where it stays: the message line goes on to the next step.
        self._ui.modelsLabel.setText("<br>".join([_modelsText(), html.escape(" ".join(told))]))

    def _failed(self, error: Exception) -> None:
        self._tell(sentenceOf(error), "warning")

    def _onCancelled(self) -> None:
        self._tell(_("Stopped; nothing was changed."), "note")


def _modelsText() -> str:
    from HTSegmentationLib.inference.models.store import installed_models

    entries = installed_models()
    if not entries:
        return _("none installed")
    good = [html.escape(entry.model.description.title) for entry in entries if entry.model is not None]
    bad = [f"<b>{html.escape(entry.fault)}</b>" for entry in entries if entry.model is None]
    return "<br>".join([", ".join(good)] * bool(good) + bad)
