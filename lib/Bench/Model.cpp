//===- Model.cpp - A program of somebody else's as a case -----------------===//

#include "Bench/Model.h"

#include "Bench/Template.h"
#include "Bench/Work.h"

#include "mlir/Parser/Parser.h"

using namespace posenc;
using namespace posenc::bench;
using llvm::StringRef;
using llvm::Twine;

/// Layers add up.
static constexpr double kLayers = 5;

/// That of the element type with the fewest digits.
static double getModuleTolerance(mlir::ModuleOp module) {
  double tolerance = getTolerance(ElementKind::F32);
  module.walk([&](mlir::Operation *op) {
    for (mlir::Type type : op->getResultTypes()) {
      auto shaped = mlir::dyn_cast<mlir::ShapedType>(type);
      mlir::Type element = shaped ? shaped.getElementType() : type;
      if (element.isF16())
        tolerance = std::max(tolerance, getTolerance(ElementKind::F16));
      if (element.isBF16())
        tolerance = std::max(tolerance, getTolerance(ElementKind::BF16));
    }
  });
  return tolerance;
}

/// What the results should be.
static llvm::Expected<llvm::SmallVector<HostTensor>>
computeReference(mlir::MLIRContext &context, const Case &self) {
  ProgramOptions options;
  options.pipeline = "posenc-reference{f64}";
  auto program = buildProgram(context, self.program, self.entry, options);
  if (!program)
    return program.takeError();
  auto inputs = cloneAll(self.inputs);
  if (!inputs)
    return inputs.takeError();
  return program->jit->call(program->entry, *inputs);
}

static llvm::Expected<double> measureError(llvm::ArrayRef<HostTensor> results,
                                           llvm::ArrayRef<HostTensor> expected) {
  double error = 0;
  for (auto [result, reference] : llvm::zip_equal(results, expected)) {
    if (result.getShape() != reference.getShape())
      return makeError("expected a result " +
                       formatShape(reference.getShape(), reference.getKind()) + " but got " +
                       formatShape(result.getShape(), result.getKind()));
    ErrorMeter meter;
    for (int64_t i = 0, n = result.getNumElements(); i < n; ++i)
      meter.add(result.getFloat(i), reference.getFloat(i));
    error = std::max(error, meter.get());
  }
  return error;
}

llvm::Expected<Case>
posenc::bench::makeModel(mlir::MLIRContext &context, StringRef name, StringRef text,
                         StringRef entryName, llvm::ArrayRef<std::string> inputs,
                         ElementKind products) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    return makeError("cannot parse '" + name + "'");
  auto entry = findEntryPoint(*module, entryName);
  if (!entry)
    return entry.takeError();
  if (entry->results.empty())
    return makeError("expected '" + entry->name + "' to have results to check");
  auto tensors = makeInputs(inputs, *entry);
  if (!tensors)
    return tensors.takeError();

  Case result;
  result.name = "model " + name.str();
  result.program = text.str();
  result.entry = entry->name;
  result.tolerance = kLayers * std::max(getModuleTolerance(*module), getTolerance(products));
  for (HostTensor &tensor : *tensors) {
    result.inputNames.push_back(std::to_string(result.inputs.size()));
    result.name += " " + formatShape(tensor.getShape(), tensor.getKind());
    result.bytes += tensor.getNumBytes();
    result.inputs.push_back(std::move(tensor));
  }
  if (products != ElementKind::F32)
    result.name += " " + getName(products).str();
  auto work = countWork(context, text, entry->name, result.inputs);
  if (!work)
    return makeError(name + ": " + llvm::toString(work.takeError()));
  result.flops = work->flops;
  result.bytes += work->bytes;

  // Slow, and the same for all who compute this case.
  auto expected = std::make_shared<llvm::SmallVector<HostTensor>>();
  result.check = [&context, expected](const Case &self, llvm::ArrayRef<HostTensor> results)
      -> llvm::Expected<double> {
    if (expected->empty()) {
      auto reference = computeReference(context, self);
      if (!reference)
        return reference.takeError();
      *expected = std::move(*reference);
    }
    return measureError(results, *expected);
  };
  return result;
}
